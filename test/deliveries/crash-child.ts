// Publishes events for one rule and runs till it is killed: `crash-child.ts STORE RULE COUNT`.
import { Dispatcher } from '../../src/deliveries/dispatcher.ts';
import { HttpSender } from '../../src/deliveries/sender.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { eventOf, FakeLog, openStore, OPTIONS, SENDING } from './harness.ts';

const [path = '', ruleText = '', count] = process.argv.slice(2);
const rule = JSON.parse(ruleText) as Rule;
const { store } = openStore(path);
const parts = { store, sender: new HttpSender(SENDING), findRule: () => rule, log: new FakeLog() };
const dispatcher = new Dispatcher(OPTIONS, parts);
dispatcher.start();
const events = Array.from({ length: Number(count) }, (_, i) => eventOf(`call${i}`, 1, 'hangup'));
dispatcher.publish(events.map((event) => ({ event, rules: [rule] })));
