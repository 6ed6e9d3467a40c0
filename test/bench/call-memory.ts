import { Directory } from '../../src/calls/directory.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { entry, tenant } from '../calls/harness.ts';

// Memory (RSS) per live call: 100,000 calls of one leg, answered, caller and called both extensions.

const CALLS = 100_000;
const START = Date.UTC(2026, 0, 1);

const open = tenant({ prefix: '', domains: [], pbx: [], trunks: [], extensions: [entry('*')] });
const tracker = new CallTracker(new Directory([open]));

function say(call: number, line: string, method: string, toTag: string): void {
  const ip = (host: number) => ({ ip: `10.${host}.${(call >> 8) & 255}.${call & 255}`, port: 5060 });
  const text = [
    line,
    `Via: SIP/2.0/UDP 10.1.0.1:5060;rport;branch=z9hG4bKPj8a1cc6bd-43f2-4ea6-b44f-${call}`,
    `From: "Alice ${call}" <sip:${1000 + (call % 9000)}@10.0.0.1>;tag=061cd84b-f936-40ad-9afd-${call}`,
    `To: <sip:${1000 + ((call + 7) % 9000)}@10.0.0.1>${toTag}`,
    `Call-ID: 33588303-1e10-47e4-97ca-b10ff4cf0350-${call}`,
    `CSeq: 25044 ${method}`,
    'Content-Length: 0',
  ].join('\r\n');
  const [source, destination] = line.startsWith('SIP') ? [ip(2), ip(1)] : [ip(1), ip(2)];
  const observedAt = START + call / 100;
  tracker.expire(observedAt);
  tracker.observe({ observedAt, source, destination, transport: 'udp', bytes: Buffer.from(`${text}\r\n\r\n`) });
}

function placeCalls(from: number, to: number): void {
  for (let call = from; call < to; call++) {
    const tag = `;tag=35b749d8-3911-4104-8a7f-${call}`;
    say(call, `INVITE sip:${1000 + ((call + 7) % 9000)}@10.2.0.1:5060;ob SIP/2.0`, 'INVITE', '');
    say(call, 'SIP/2.0 180 Ringing', 'INVITE', tag);
    say(call, 'SIP/2.0 200 OK', 'INVITE', tag);
  }
}

function residentBytes(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  return process.memoryUsage().rss;
}

placeCalls(0, 2000); // what the code itself takes
const before = residentBytes();
placeCalls(2000, 2000 + CALLS);
const perCall = (residentBytes() - before) / CALLS;
console.log(`${Math.round(perCall)} bytes of resident memory per live call (${tracker.legCount} calls up)`);
