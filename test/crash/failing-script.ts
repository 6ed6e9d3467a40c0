import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that the script took, as the form it was. */
export type Taken = ReadonlyMap<string, string>;

/** A script that refuses one request of five, in several ways, and keeps what it took. */
export class FailingScript {
  readonly taken: Taken[] = [];
  refused = 0;
  readonly #server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => (body += text));
    request.on('end', () => {
      if (Math.random() < 0.2) {
        this.refused++;
        if (Math.random() < 0.5) request.socket.destroy();
        else response.writeHead(503).end();
        return;
      }
      this.taken.push(new Map(new URLSearchParams(body)));
      response.end('OK');
    });
  });

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
