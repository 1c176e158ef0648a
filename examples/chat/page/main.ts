import { startChat, welcome } from './chat.ts';
import { startJoin } from './join.ts';
import { showPeople, startPeople } from './people.ts';
import { startRoundTrip } from './round-trip.ts';
import { startStatus } from './status.ts';
import { startTrouble } from './trouble.ts';

startStatus();
startRoundTrip();
startTrouble();
startPeople();
startChat();
startJoin(() => {
  welcome();
  showPeople();
});
