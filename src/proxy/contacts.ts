import { formatFlow, type Flow, parseFlow, type Tokens } from './token.ts';

const PURPOSE = 'contact';
const PARAMETER = ';rs=';

/** What a contact that was rewritten to come back through us stands for. */
export interface Restored {
  readonly uri: string;
  readonly flow: Flow;
}

/** Rewrites a phone's Contact so that calls to it come through us, on PBXs without Path; and back. */
export class Contacts {
  readonly #tokens: Tokens;

  constructor(tokens: Tokens) {
    this.#tokens = tokens;
  }

  /** The same user and parameters at our address; where it really is stands sealed in a parameter. */
  rewrite(uri: string, flow: Flow, ourHostPort: string): string {
    const { start, user, place, rest } = cutUri(uri);
    const isThere = place === `${flow.remote.ip}:${flow.remote.port}`;
    const { text, index } = findTransport(rest);
    const token = this.#tokens.seal(PURPOSE, `${formatFlow(flow)} ${isThere ? '' : place} ${text} ${index}`);
    return `${start}${user}${ourHostPort}${rest.replace(TRANSPORT, '')}${PARAMETER}${token}`;
  }

  /** Undoes `rewrite`; undefined for any other URI. */
  restore(uri: string): Restored | undefined {
    const at = uri.indexOf(PARAMETER);
    if (at < 0) return undefined;
    const token = /^[\w-]+/.exec(uri.slice(at + PARAMETER.length))?.[0] ?? '';
    const [flowText = '', place = '', transport = '', index = ''] = this.#tokens.open(PURPOSE, token)?.split(' ') ?? [];
    const flow = parseFlow(flowText);
    if (!flow) return undefined;
    const { start, user, rest } = cutUri(uri.slice(0, at) + uri.slice(at + PARAMETER.length + token.length));
    const parameters = rest.replace(TRANSPORT, ''); // ours
    const host = place || `${flow.remote.ip}:${flow.remote.port}`;
    const before = parameters.slice(0, Number(index));
    return { uri: `${start}${user}${host}${before}${transport}${parameters.slice(Number(index))}`, flow };
  }
}

const TRANSPORT = /;transport=[^;?]*/i;

/** The transport parameter, and where it stands. */
function findTransport(rest: string): { text: string; index: number } {
  const match = TRANSPORT.exec(rest);
  return { text: match?.[0] ?? '', index: match?.index ?? 0 };
}

/** `sip:` · `user@` · `host:port` · parameters and headers. */
function cutUri(uri: string): { start: string; user: string; place: string; rest: string } {
  const colon = uri.indexOf(':') + 1;
  const at = uri.indexOf('@') + 1;
  const userEnd = at === 0 ? colon : at;
  const tail = uri.slice(userEnd);
  const end = tail.search(/[;?]/);
  const place = end < 0 ? tail : tail.slice(0, end);
  return { start: uri.slice(0, colon), user: uri.slice(colon, userEnd), place, rest: end < 0 ? '' : tail.slice(end) };
}
