import { createReadStream, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import type { Call, Delivery, Ladder, Rule, Session, StreamMessage, TestResult } from '../../../src/api/types.ts';
import { detailOf, makeOverview, makeRegistrations } from './fixtures.ts';

const page = new URL('../../../dist/web', import.meta.url).pathname;

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** What the fake tells; tests change it as they go. */
export interface FakeData {
  calls: Call[];
  recent: Call[];
  ladders: Ladder[];
  rules: Rule[];
  deliveries: Delivery[];
}

/** Answers the page as the API does, out of fixtures: for states that are hard to bring about for real. */
export class FakeServer {
  readonly data: FakeData;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  #isSignedIn = true;

  constructor(data: FakeData) {
    this.data = data;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Breaks the streams off, as a restart does; clients may come back. */
  dropStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  push({ event, data }: StreamMessage): void {
    for (const stream of this.#streams) stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url!, 'http://x');
    response.setHeader('content-security-policy', CSP);
    if (!pathname.startsWith('/api/v1')) return sendFile(pathname, response);
    request.resume();
    const path = pathname.slice('/api/v1'.length);
    if (path === '/stream') return this.#stream(response);
    if (/\/messages\/\d+$/.test(path)) return void response.end(MESSAGE);
    const method = request.method!;
    const body = this.#read(method, path, searchParams);
    response.statusCode =
      body === undefined ? 404 : this.#isSignedIn || path === '/sign-in' || method === 'DELETE' ? 200 : 401;
    const problem = { error: { code: 'unauthorized', message: 'nobody is signed in' } };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(response.statusCode === 200 ? body : problem));
  }

  #read(method: string, path: string, query: URLSearchParams): unknown {
    const { rules, deliveries, recent, calls, ladders } = this.data;
    const now = Date.now();
    if (path === '/session') {
      if (method !== 'GET') this.#isSignedIn = method === 'POST';
      return SESSION;
    }
    if (path === '/sign-in') return { password: true, link: false };
    if (path === '/overview') return makeOverview(now, calls.length);
    if (path === '/registrations') return makeRegistrations(now);
    if (path === '/rules') return { rules };
    if (path.endsWith('/test')) return TEST_RESULT;
    if (path === '/deliveries/retry') return { deliveries: 1 };
    if (path === '/deliveries') {
      const state = query.get('state');
      return { deliveries: deliveries.filter((delivery) => state === null || delivery.state === state), next: null };
    }
    if (path.startsWith('/deliveries/')) {
      const found = deliveries.find(({ id }) => `${id}` === path.slice('/deliveries/'.length));
      return found && detailOf(found);
    }
    if (path === '/calls') return { calls: recent, next: null };
    return ladders.find(({ call }) => path === `/calls/${call.id}/ladder`) ?? ladders[0];
  }

  #stream(response: ServerResponse): void {
    response.setHeader('content-type', 'text/event-stream');
    response.write('retry: 200\n\n');
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
    const at = new Date().toISOString();
    this.push({ event: 'start', data: { at, calls: this.data.calls, isGap: false } });
  }
}

const SESSION: Session = {
  user: 'operator',
  role: 'operator',
  extension: null,
  tenant: null,
  canWrite: true,
  csrfToken: 'csrf',
  expiresAt: null,
};

const MESSAGE = `INVITE sip:102@acme.example.com SIP/2.0
Via: SIP/2.0/UDP 127.0.60.101:5060;rport;branch=z9hG4bKPj4f1c7a0e
From: "Anna Berg" <sip:101@acme.example.com>;tag=f1
To: <sip:102@acme.example.com>
CSeq: 1 INVITE
Content-Length: 0
`;

const TEST_RESULT: TestResult = {
  request: {
    method: 'POST',
    url: 'https://crm.example.com/hooks/screen-pop?src=pbx',
    body: 'CallID=test-1&CallerIDNum=15550100&CallerIDName=Test&CallStatus=CALLING&CallFlow=IN',
  },
  status: 500,
  error: '500 Internal Server Error',
  answer: '<h1>Something is wrong</h1>',
  durationMs: 31.5,
  isSuccess: false,
};

function sendFile(pathname: string, response: ServerResponse): void {
  const file = join(page, normalize(pathname));
  const path = extname(file) !== '' && existsSync(file) ? file : join(page, 'index.html');
  response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
  createReadStream(path).pipe(response);
}
