import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { WebSocket } from 'ws';

// A phone that says exactly what a test gives it, and shows exactly what it gets; it knows nothing of SIP but lines.

export interface Place {
  readonly ip: string;
  readonly port: number;
}

/** A message as it came, in text. */
export class Heard {
  readonly text: string;
  readonly from: Place;

  constructor(text: string, from: Place) {
    this.text = text;
    this.from = from;
  }

  get startLine(): string {
    return this.text.slice(0, this.text.indexOf('\r\n'));
  }

  /** 0 for a request. */
  get code(): number {
    return this.text.startsWith('SIP/2.0 ') ? Number(this.text.slice(8, 11)) : 0;
  }

  /** Of a response, that of its CSeq. */
  get method(): string {
    return this.code === 0 ? this.text.slice(0, this.text.indexOf(' ')) : this.header('CSeq').split(' ')[1]!;
  }

  get target(): string {
    return this.startLine.split(' ')[1]!;
  }

  get body(): string {
    return this.text.slice(this.text.indexOf('\r\n\r\n') + 4);
  }

  /** All values of a header, in order, lines as they are. */
  headers(name: string): string[] {
    const lines = this.text.slice(0, this.text.indexOf('\r\n\r\n')).split('\r\n').slice(1);
    const start = `${name.toLowerCase()}:`;
    return lines.filter((line) => line.toLowerCase().startsWith(start)).map((line) => line.slice(start.length).trim());
  }

  /** The first value; empty if there is none. */
  header(name: string): string {
    return this.headers(name)[0] ?? '';
  }

  get isInvite(): boolean {
    return this.code === 0 && this.method === 'INVITE';
  }

  is(what: number | string): boolean {
    return typeof what === 'number' ? this.code === what : this.code === 0 && this.method === what;
  }
}

interface Waiting {
  readonly what: number | string;
  readonly done: (heard: Heard) => void;
}

/** Counts up, so that ids are unique within a test run. */
let count = 0;
export const unique = (): string => `${process.pid.toString(36)}x${(count++).toString(36)}`;

export class WirePhone {
  readonly transport: string;
  readonly place: Place;
  /** Everything that came, in order. */
  readonly log: Heard[] = [];
  readonly #unread: Heard[] = [];
  #waiting: Waiting[] = [];
  readonly #send: (text: string, to: Place) => void;
  readonly close: () => Promise<void>;
  /** Answers by itself: what it gets, and what it says to that. */
  answer: ((heard: Heard) => readonly string[]) | undefined;

  constructor(
    transport: string,
    place: Place,
    send: (text: string, to: Place) => void,
    close: () => Promise<void>,
    listen: (take: (text: string, from: Place) => void) => void,
  ) {
    this.transport = transport;
    this.place = place;
    this.#send = send;
    this.close = close;
    listen((text, from) => this.#hear(new Heard(text, from)));
  }

  /** `ip:port` */
  get at(): string {
    return `${this.place.ip}:${this.place.port}`;
  }

  send(text: string, to: Place): void {
    this.#send(text, to);
  }

  /** The next message that was not asked for yet: a response by its code, a request by its method. */
  async next(what: number | string, withinMs = 3000): Promise<Heard> {
    const index = this.#unread.findIndex((heard) => heard.is(what));
    if (index >= 0) return this.#unread.splice(index, 1)[0]!;
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        const heard = this.log.map(({ startLine }) => startLine).join('\n  ');
        fail(new Error(`${this.at} waited for ${what}; it got\n  ${heard || 'nothing'}`));
      }, withinMs);
      const waiting: Waiting = {
        what,
        done: (heard) => {
          clearTimeout(timer);
          done(heard);
        },
      };
      this.#waiting.push(waiting);
    });
  }

  /** How many messages of a kind came so far. */
  count(what: number | string): number {
    return this.log.filter((heard) => heard.is(what)).length;
  }

  #hear(heard: Heard): void {
    this.log.push(heard);
    for (const text of this.answer?.(heard) ?? []) this.send(text, heard.from);
    const waiting = this.#waiting.find(({ what }) => heard.is(what));
    if (!waiting) return void this.#unread.push(heard);
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
    waiting.done(heard);
  }
}

/** Closes it, if a test did not do so before. */
function closeSocket(socket: DatagramSocket): Promise<void> {
  return new Promise((done) => {
    socket.once('close', done);
    try {
      socket.close();
    } catch {
      done();
    }
  });
}

/** A phone over UDP. */
export async function openUdpPhone(ip = '127.0.0.1', port = 0): Promise<WirePhone> {
  const socket = createSocket('udp4');
  socket.bind(port, ip);
  await once(socket, 'listening');
  return new WirePhone(
    'UDP',
    { ip, port: socket.address().port },
    (text, to) => socket.send(Buffer.from(text, 'latin1'), to.port, to.ip),
    () => closeSocket(socket),
    (take) =>
      socket.on('message', (bytes, { address, port: from }) =>
        take(bytes.toString('latin1'), { ip: address, port: from }),
      ),
  );
}

/** Cuts messages out of a stream by Content-Length. */
function cutStream(socket: Socket, take: (text: string, from: Place) => void): void {
  let held = '';
  socket.on('data', (bytes) => {
    held += bytes.toString('latin1');
    for (;;) {
      held = held.replace(/^(\r\n)+/, '');
      const end = held.indexOf('\r\n\r\n');
      if (end < 0) return;
      const size = end + 4 + Number(/\r\n(?:Content-Length|l): *(\d+)/i.exec(held.slice(0, end + 2))?.[1] ?? 0);
      if (held.length < size) return;
      take(held.slice(0, size), { ip: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 });
      held = held.slice(size);
    }
  });
}

/** A phone that keeps one TCP connection to a server. */
export async function openTcpPhone(server: Place, ip = '127.0.0.1'): Promise<WirePhone> {
  const socket = connect({ host: server.ip, port: server.port, localAddress: ip });
  await once(socket, 'connect');
  return new WirePhone(
    'TCP',
    { ip, port: socket.localPort! },
    (text) => socket.write(Buffer.from(text, 'latin1')),
    () => {
      socket.destroy();
      return Promise.resolve();
    },
    (take) => cutStream(socket, take),
  );
}

/** A phone that others connect to. */
export async function openTcpServer(ip = '127.0.0.1'): Promise<WirePhone> {
  const sockets = new Set<Socket>();
  let take: (text: string, from: Place) => void = () => {};
  const server = createServer((socket) => {
    sockets.add(socket);
    cutStream(socket, (text, from) => take(text, from));
  });
  server.listen(0, ip);
  await once(server, 'listening');
  return new WirePhone(
    'TCP',
    { ip, port: (server.address() as { port: number }).port },
    (text) => [...sockets].at(-1)!.write(Buffer.from(text, 'latin1')),
    () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => server.close(() => done()));
    },
    (listener) => (take = listener),
  );
}

/** A browser. */
export async function openWebPhone(server: Place): Promise<WirePhone> {
  const socket = new WebSocket(`ws://${server.ip}:${server.port}`, 'sip');
  await once(socket, 'open');
  return new WirePhone(
    'WS',
    { ip: `${unique()}.invalid`, port: 5060 },
    (text) => socket.send(text),
    async () => {
      socket.close();
      await once(socket, 'close');
    },
    (take) => socket.on('message', (data: Buffer) => take(data.toString('latin1'), server)),
  );
}
