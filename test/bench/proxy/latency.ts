import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stop, waitUntil } from './processes.ts';
import { startWatched } from './watched.ts';

// The delay Ringside adds between INVITE in and INVITE out, while every call has six webhooks delivered. A process of
// its own is caller and called phone at once, so that there is one clock; what it measures without a proxy is its own.
// usage: node test/bench/proxy/latency.ts
// environment: RATE (calls per second), SECONDS, HOLD (ms a call is up), WARMUP (seconds that are not measured),
//   DIRECT (seconds without a proxy), PORT (the proxy's; the phones' are 10 and 20 above)

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const RATE = number('RATE', 300);
const SECONDS = number('SECONDS', 60);
const HOLD = number('HOLD', 3000);
const WARMUP = number('WARMUP', 5);
const DIRECT = number('DIRECT', 10);
const PORT = number('PORT', 17360);
const ports = { proxy: PORT, called: PORT + 10, caller: PORT + 20 };

const WEBHOOKS_PER_CALL = 6;
const AT_ONCE = 2; // calls placed in one step when behind
const PATIENCE_MILLISECONDS = 10_000; // for calls and webhooks that are still to end
const BUFFER_BYTES = 4_000_000;

interface Phase {
  readonly port: number;
  readonly seconds: number;
}

interface Outcome {
  readonly delays: readonly number[];
  readonly made: number;
  readonly failed: number;
  readonly perSecond: number;
}

interface Call {
  readonly id: string;
  readonly port: number;
  readonly sentAt: number;
  delay?: number;
  confirmed?: boolean;
}

const SDP = ['v=0', 'o=phone 1 1 IN IP4 127.0.0.1', 's=call', 'c=IN IP4 127.0.0.1', 't=0 0']
  .concat('m=audio 6000 RTP/AVP 8 101', 'a=rtpmap:8 PCMA/8000', 'a=rtpmap:101 telephone-event/8000', '')
  .join('\r\n');
const WITH_SDP = ['Content-Type: application/sdp', `Content-Length: ${SDP.length}`, '', SDP];
const NO_BODY = ['Content-Length: 0', '', ''];

const RUN = randomBytes(4).toString('hex');

/** Header lines by name, in their order. */
const headers = (text: string, name: string): string[] =>
  text.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));

const value = (text: string, name: string): string => {
  const line = headers(text, name)[0] ?? '';
  return line.slice(line.indexOf(':') + 1).trim();
};

/** Caller and called phone. */
class Phones {
  readonly #caller: Socket;
  readonly #called: Socket;
  readonly #calls = new Map<string, Call>(); // those that have not ended
  #delays: number[] = [];
  #placed = 0;

  constructor(caller: Socket, called: Socket) {
    [this.#caller, this.#called] = [caller, called];
    caller.on('message', (message) => this.#onResponse(message.toString('latin1')));
    called.on('message', (message, { port }) => this.#onRequest(message, performance.now(), port));
  }

  async run({ port, seconds }: Phase): Promise<Outcome> {
    const [first, startedAt] = [this.#placed, performance.now()];
    this.#delays = [];
    await this.#place(port, RATE * seconds);
    const made = this.#placed - first;
    const perSecond = made / ((performance.now() - startedAt) / 1000);
    await waitUntil(() => this.#calls.size === 0, HOLD + PATIENCE_MILLISECONDS);
    const failed = this.#calls.size;
    this.#calls.clear();
    return { delays: this.#delays, made, failed, perSecond };
  }

  /** Spreads the calls evenly. */
  async #place(port: number, calls: number): Promise<void> {
    const startedAt = performance.now();
    for (let placed = 0; placed < calls; await sleep(1)) {
      const due = Math.min(calls, Math.floor(((performance.now() - startedAt) / 1000) * RATE) + 1);
      for (const end = Math.min(due, placed + AT_ONCE); placed < end; placed++) this.#invite(port);
    }
  }

  #invite(port: number): void {
    const id = `${RUN}-${++this.#placed}`;
    const contact = `Contact: <sip:caller@127.0.0.1:${ports.caller}>`;
    const target = `sip:2${this.#placed}@127.0.0.1:${port}`;
    const text = request('INVITE', target, id, [`To: <${target}>`, contact, 'Supported: replaces', ...WITH_SDP]);
    this.#calls.set(id, { id, port, sentAt: performance.now() });
    this.#caller.send(text, port, '127.0.0.1');
  }

  #onRequest(message: Buffer, now: number, port: number): void {
    const text = message.toString('latin1');
    const answer = (...lines: string[]): void => this.#called.send(lines.join('\r\n'), port, '127.0.0.1');
    if (text.startsWith('BYE ')) answer('SIP/2.0 200 OK', ...copied(text), ...NO_BODY);
    if (!text.startsWith('INVITE ')) return;
    this.#arrived(value(text, 'Call-ID'), now);
    const same = [...copied(text), `Contact: <sip:called@127.0.0.1:${ports.called}>`];
    answer('SIP/2.0 180 Ringing', ...same, ...NO_BODY);
    answer('SIP/2.0 200 OK', ...same, ...WITH_SDP);
  }

  /** Counts an INVITE once, even if it comes again. */
  #arrived(id: string, now: number): void {
    const call = this.#calls.get(id);
    if (!call || call.delay !== undefined) return;
    call.delay = now - call.sentAt;
    this.#delays.push(call.delay);
  }

  #onResponse(text: string): void {
    const call = this.#calls.get(value(text, 'Call-ID'));
    if (!call || !text.startsWith('SIP/2.0 200 ')) return; // a call that is refused never ends: it counts as failed
    if (value(text, 'CSeq').endsWith('BYE')) return void this.#calls.delete(call.id);
    this.#within(call, 'ACK', text);
    if (!call.confirmed) setTimeout(() => this.#within(call, 'BYE', text), HOLD);
    call.confirmed = true;
  }

  #within({ id, port }: Call, method: string, answer: string): void {
    const routes = headers(answer, 'Record-Route').reverse();
    const lines = [...routes.map((line) => line.slice('Record-'.length)), ...headers(answer, 'To'), ...NO_BODY];
    const target = /<(.+)>/.exec(value(answer, 'Contact'))![1]!;
    this.#caller.send(request(method, target, id, lines), port, '127.0.0.1');
  }
}

function request(method: string, target: string, id: string, lines: readonly string[]): string {
  const via = `Via: SIP/2.0/UDP 127.0.0.1:${ports.caller};rport;branch=z9hG4bK-${id}-${method}`;
  const from = `From: <sip:1${id.slice(RUN.length + 1)}@127.0.0.1>;tag=caller-${id}`;
  const cseq = `CSeq: ${method === 'BYE' ? 2 : 1} ${method}`;
  const start = `${method} ${target} SIP/2.0`;
  return [start, via, from, `Call-ID: ${id}`, cseq, 'Max-Forwards: 70', ...lines].join('\r\n');
}

/** What an answer takes over from its request; the called side's tag is added. */
function copied(text: string): string[] {
  const to = value(text, 'To');
  const same = ['Via', 'Record-Route', 'From', 'Call-ID', 'CSeq'].flatMap((name) => headers(text, name));
  return [...same, `To: ${to.includes(';tag=') ? to : `${to};tag=called-${value(text, 'Call-ID')}`}`];
}

/** A socket that sends at once: no name is looked up. */
async function bound(port: number): Promise<Socket> {
  const lookup = (_: string, __: unknown, found: (error: null, address: string, family: number) => void): void =>
    found(null, '127.0.0.1', 4);
  const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES, lookup });
  const listening = once(socket, 'listening');
  socket.bind(port, '127.0.0.1');
  await listening;
  return socket;
}

/** The process that measures: told a phase, it tells the outcome. */
async function measure(): Promise<void> {
  const phones = new Phones(await bound(ports.caller), await bound(ports.called));
  process.on('message', (phase: Phase) => void phones.run(phase).then((outcome) => process.send!(outcome)));
  process.on('disconnect', () => process.exit());
}

async function run(phones: ChildProcess, phase: Phase): Promise<Outcome> {
  const ended = once(phones, 'exit').then(() => Promise.reject(new Error('the phones have ended')));
  phones.send(phase);
  const [outcome] = (await Promise.race([once(phones, 'message'), ended])) as [Outcome];
  return outcome;
}

/** Runs the three phases, and tells what the last one came to. */
async function compare(phones: ChildProcess, webhooks: { count: number }): Promise<void> {
  const warmUp = await run(phones, { port: ports.proxy, seconds: WARMUP });
  await waitUntil(() => webhooks.count >= warmUp.made * WEBHOOKS_PER_CALL, PATIENCE_MILLISECONDS);
  const direct = await run(phones, { port: ports.called, seconds: DIRECT });
  webhooks.count = 0;
  const proxied = await run(phones, { port: ports.proxy, seconds: SECONDS });
  await waitUntil(() => webhooks.count >= proxied.made * WEBHOOKS_PER_CALL, PATIENCE_MILLISECONDS);
  const added = show('Ringside', proxied) - show('direct', direct);
  console.log(`Ringside adds ${added.toFixed(2)} ms at p99`);
  console.log(`webhooks: ${webhooks.count} received of ${proxied.made * WEBHOOKS_PER_CALL}`);
}

/** Prints a distribution and returns its p99. */
function show(name: string, { delays, made, failed, perSecond }: Outcome): number {
  const sorted = delays.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? NaN;
  const shown = Object.entries({ 'p50': 0.5, 'p90': 0.9, 'p99': 0.99, 'p99.9': 0.999, 'max': 1 });
  console.log(`${name}: ${made} calls at ${perSecond.toFixed(1)} per second, ${failed} failed`);
  console.log(`  ${shown.map(([label, part]) => `${label} ${at(part).toFixed(2)} ms`).join(', ')}`);
  return at(0.99);
}

async function main(): Promise<void> {
  const webhooks = { count: 0 };
  const { server, close } = await startWatched(ports, () => webhooks.count++);
  const phones = fork(fileURLToPath(import.meta.url));
  await compare(phones, webhooks).finally(() => Promise.all([stop(phones), stop(server.process, 'SIGINT')]));
  close();
}

await (process.send ? measure() : main());
