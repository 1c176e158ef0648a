import { expect, test } from 'vitest';
import { RoundTrip } from '../../src/client/flow/round-trip.ts';

test('The round-trip time is taken from one ping at a time, however many follow it, and smoothed', () => {
  const trip = new RoundTrip();
  expect(trip.smoothedMs).toBeUndefined();
  expect(trip.ping(0)).toBe(1);
  expect(trip.ping(90)).toBe(2);
  trip.pong(1, 100);
  expect(trip.smoothedMs).toBe(100);
  // Not timed: it was sent while another was.
  trip.pong(2, 500);
  expect(trip.smoothedMs).toBe(100);
  expect(trip.ping(1_000)).toBe(3);
  trip.pong(3, 1_180);
  expect(trip.smoothedMs).toBe(110);
});

test('On another socket the round-trip time begins with its first sample, and old answers count no more', () => {
  const trip = new RoundTrip();
  trip.ping(0);
  trip.pong(1, 800);
  trip.ping(900);
  trip.restart();
  trip.pong(2, 10_000);
  expect(trip.smoothedMs).toBe(800);
  expect(trip.ping(20_000)).toBe(3);
  trip.pong(3, 20_040);
  expect(trip.smoothedMs).toBe(40);
});

test('A clock that goes back gives no negative time', () => {
  const trip = new RoundTrip();
  trip.ping(100);
  trip.pong(1, 50);
  expect(trip.smoothedMs).toBe(0);
});
