import { createSocket } from 'node:dgram';
import { chunk, hep3, u32 } from '../sources/packets.ts';

export type Kind = 'answered' | 'busy' | 'cancelled';

/** A call as it was played. */
export interface PlayedCall {
  readonly callId: string;
  readonly kind: Kind;
  readonly caller: string;
  readonly called: string;
  /** Epoch ms at which each message was sent. */
  readonly times: Map<Step, number>;
}

export type Step = 'invite' | 'ringing' | 'final' | 'ack' | 'end' | 'ended';

/** Nobody calls again while a call before, whose end was lost, is taken to be up: that would be a leg of it. */
const EXTENSIONS = 9000;

/** Plays calls between phones to a HEP listener, whether or not anybody listens: so many a second. */
export class CallFeeder {
  readonly calls: PlayedCall[] = [];
  readonly #socket = createSocket('udp4');
  readonly #port: number;
  readonly #perSecond: number;
  readonly #timers = new Set<NodeJS.Timeout>();
  #began = 0;
  #feeding: NodeJS.Timeout | undefined;

  constructor(port: number, perSecond: number) {
    this.#port = port;
    this.#perSecond = perSecond;
  }

  start(): void {
    this.#began = performance.now();
    this.#feeding = setInterval(() => {
      const due = ((performance.now() - this.#began) * this.#perSecond) / 1000;
      while (this.calls.length < due) this.#play(this.calls.length);
    }, 5);
  }

  /** No further calls; those that are up are played to their end. */
  async stop(): Promise<void> {
    clearInterval(this.#feeding);
    while (this.#timers.size > 0) await new Promise((done) => setTimeout(done, 50));
    this.#socket.close();
  }

  #play(number: number): void {
    const kind = number % 10 === 3 ? 'busy' : number % 10 === 6 ? 'cancelled' : 'answered';
    const caller = String(10_000 + ((number * 7) % EXTENSIONS));
    const called = String(20_000 + ((number * 11) % EXTENSIONS));
    const call: PlayedCall = { callId: `crash-${number}`, kind, caller, called, times: new Map() };
    this.calls.push(call);
    const ringMs = 20 + Math.random() * 100;
    // Most are short; one of five outlasts a crash and the start after it.
    const talkMs = number % 5 === 0 ? 1500 + Math.random() * 2500 : 50 + Math.random() * 500;
    this.#send(call, 'invite', `INVITE sip:${called}@h SIP/2.0`, '1 INVITE', false);
    this.#at(10, () => this.#send(call, 'ringing', 'SIP/2.0 180 Ringing', '1 INVITE', true));
    this.#at(ringMs, () => this.#answer(call));
    this.#at(ringMs + talkMs, () => this.#end(call));
  }

  #answer(call: PlayedCall): void {
    if (call.kind === 'cancelled') {
      this.#send(call, 'end', `CANCEL sip:${call.called}@h SIP/2.0`, '1 CANCEL', false);
      return this.#at(3, () => this.#send(call, 'final', 'SIP/2.0 487 Request Terminated', '1 INVITE', true));
    }
    const final = call.kind === 'busy' ? 'SIP/2.0 486 Busy Here' : 'SIP/2.0 200 OK';
    this.#send(call, 'final', final, '1 INVITE', true);
    this.#at(3, () => this.#send(call, 'ack', `ACK sip:${call.called}@h SIP/2.0`, '1 ACK', false, true));
  }

  #end(call: PlayedCall): void {
    if (call.kind !== 'answered') return;
    this.#send(call, 'end', `BYE sip:${call.called}@h SIP/2.0`, '2 BYE', false, true);
    this.#at(3, () => this.#send(call, 'ended', 'SIP/2.0 200 OK', '2 BYE', true));
  }

  #at(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }

  #send(call: PlayedCall, step: Step, start: string, cseq: string, isResponse: boolean, hasTag = isResponse): void {
    const { callId, caller, called, times } = call;
    const now = performance.timeOrigin + performance.now();
    times.set(step, now);
    const lines = [
      start,
      `Via: SIP/2.0/UDP h;branch=z9hG4bK${callId}${cseq.slice(2) === 'BYE' ? 'b' : ''}`,
      `From: <sip:${caller}@h>;tag=a`,
      `To: <sip:${called}@h>${hasTag ? ';tag=b' : ''}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq}`,
      'Content-Length: 0',
    ];
    const at = [chunk(9, u32(Math.floor(now / 1000))), chunk(10, u32(Math.floor((now % 1000) * 1000)))];
    this.#socket.send(hep3(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), at), this.#port, '127.0.0.1');
  }
}
