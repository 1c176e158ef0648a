import type { Meta, StoryObj } from '@storybook/react';
import type {} from 'msw-storybook-addon/csf3';
import { mockServer } from 'tautline/testing/msw';
import { makeClient } from './client.ts';
import { contract } from './contract.ts';
import { Room } from './room.tsx';

const mock = mockServer(contract, {
  handlers: { send: () => {}, room: { authorize: () => true, snapshot: () => ['welcome'] } },
});

export type App = ReturnType<typeof makeClient>;

const meta: Meta<typeof Room> = {
  component: Room,
  parameters: { msw: { handlers: [...mock.handlers] } },
  beforeEach: (context) => {
    const app = makeClient(mock.fast); // a connection for each story
    Object.assign(context.args, app);
    return async () => {
      await app.connection.close();
      mock.reset();
    };
  },
};
export default meta;

type Story = StoryObj<Partial<App>>;

export const Online: Story = {
  play: async ({ canvas }) => {
    await canvas.findByText('welcome');
  },
};

export const Offline: Story = {
  play: async ({ canvas }) => {
    await canvas.findByText('welcome');
    mock.refuse();
    mock.cut();
    await canvas.findByText('offline');
  },
};
