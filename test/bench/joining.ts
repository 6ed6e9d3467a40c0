import { Directory } from '../../src/calls/directory.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { entry, PBX, tenant } from '../calls/harness.ts';

// What it costs to find the leg that a new one belongs to, with 1,000, 10,000 and 100,000 calls up at one PBX: median CPU time
// per message, all of a call's two legs up to the answer. `hot`: all callers dial one number of the company and show no number.

const MEASURED = 1000;
const BATCHES = 9;
const START = Date.UTC(2026, 0, 1);
const users = tenant({ prefix: '', extensions: [entry('???????'), entry('2000')] });

function openPbx(isHot: boolean): { place: (from: number, to: number) => void; joined: () => string } {
  const tracker = new CallTracker(new Directory([users]));
  let joined = 0;
  let placed = 0;
  const say = (call: number, leg: 'a' | 'b', line: string, tag: string): void => {
    const caller = isHot ? 'anonymous' : `${1_000_000 + call * 2}`;
    const phone = { ip: `10.${leg === 'a' ? 1 : 2}.${(call >> 8) & 255}.${call & 255}`, port: 5060 + (call >> 16) };
    const pbx = { ip: PBX, port: 5060 };
    const text = [
      line,
      `Via: SIP/2.0/UDP host:5060;rport;branch=z9hG4bK${leg}${call}`,
      `From: <sip:${caller}@${PBX}>;tag=${leg}-from-${call}`,
      `To: <sip:${isHot ? 2000 : 1_000_001 + call * 2}@${PBX}>${tag}`,
      `Call-ID: 33588303-1e10-47e4-97ca-${leg}-${call}`,
      'CSeq: 25044 INVITE',
      'Content-Length: 0',
    ].join('\r\n');
    const isDown = line.startsWith('SIP') === (leg === 'a');
    const observedAt = START + call * 10;
    tracker.expire(observedAt);
    const [source, destination] = isDown ? [pbx, phone] : [phone, pbx];
    tracker.observe({ observedAt, source, destination, transport: 'udp', bytes: Buffer.from(`${text}\r\n\r\n`) });
  };
  const place = (from: number, to: number): void => {
    for (let call = from; call < to; call++) {
      const number = isHot ? 2000 : 1_000_001 + call * 2;
      say(call, 'a', `INVITE sip:${number}@${PBX} SIP/2.0`, '');
      say(call, 'b', `INVITE sip:${number}@10.2.0.1:5060;ob SIP/2.0`, '');
      say(call, 'b', 'SIP/2.0 200 OK', `;tag=to-b-${call}`);
      say(call, 'a', 'SIP/2.0 200 OK', `;tag=to-a-${call}`);
      placed++;
      const ids = ['a', 'b'].map((leg) => tracker.findLeg(`33588303-1e10-47e4-97ca-${leg}-${call}`)?.call.id);
      if (ids[0] === ids[1]) joined++;
    }
  };
  return { place, joined: () => `${joined} of ${placed} joined` };
}

for (const isHot of [false, true]) {
  for (const live of [1000, 10_000, 100_000]) {
    const { place, joined } = openPbx(isHot);
    place(0, live);
    const costs = Array.from({ length: BATCHES }, (_, batch) => {
      const from = live + batch * MEASURED;
      const before = process.cpuUsage();
      place(from, from + MEASURED);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / MEASURED / 4;
    });
    const perMessage = costs.toSorted((a, b) => a - b)[BATCHES >> 1]!.toFixed(2);
    console.log(`${live} calls up${isHot ? ', one number' : ''}: ${perMessage} µs CPU per message, ${joined()}`);
  }
}
