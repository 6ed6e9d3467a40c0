import { soon } from '../support/ports.ts';
import type { Agent } from '../support/pbx/agent.ts';
import { makeResponse, SDP } from '../support/wire-builders.ts';
import { Received } from '../support/wire-message.ts';
import { openWire, type Wire } from '../support/wire-transports.ts';

// Calls that are right, beside messages that are not.

const GOOD = 'sip:200@acme.example.com';

/** A PBX that keeps no state: takes calls to 200, is busy for all others, and answers whatever else comes. */
export async function openAnswerer(learn: (text: string) => void): Promise<Wire> {
  const wire: Wire = await openWire({ transport: 'udp', ip: '127.0.0.1' }, (text, from) => {
    const request = new Received(text, from);
    if (request.callId.includes('fuzz')) learn(text); // who attacks does not see the branches of other calls
    if (!request.isRequest || request.method === 'ACK' || !request.isWhole) return;
    for (const answer of answersTo(request, wire.port)) void wire.send(answer, from);
  });
  return wire;
}

function answersTo(request: Received, port: number): string[] {
  if (request.method !== 'INVITE') return [makeResponse(request, 200)];
  if (!request.header('To')!.includes(GOOD) || request.callId.includes('fuzz')) return [makeResponse(request, 486)];
  const contact = `<sip:200@127.0.0.1:${port}>`;
  return [makeResponse(request, 180, { contact }), makeResponse(request, 200, { contact, body: SDP })];
}

export interface Calls {
  made: number;
  readonly failures: string[];
}

/** One call after the other, until it is told to stop. */
export async function callOnAndOn(agent: Agent, calls: Calls, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    calls.made++;
    const call = agent.call(GOOD);
    try {
      const isUp = await soon(call.answered, `call ${calls.made} over ${agent.transport} is answered`);
      const code = isUp ? (await soon(call.send('BYE'), 'its BYE is answered')).code : await call.over;
      if (code !== 200) calls.failures.push(`${agent.transport}: ${code}`);
    } catch (error) {
      calls.failures.push(`${agent.transport}: ${String(error)}`);
    }
    agent.calls.delete(call);
    await new Promise((done) => setTimeout(done, 20));
  }
}
