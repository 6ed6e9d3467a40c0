import { hash, unique } from './wire-builders.ts';
import { readWire, type Received } from './wire-message.ts';

/** The request once more with the answer to a digest challenge (RFC 2617 with or without qop), CSeq and branch new. */
export function authorize(
  message: string | Received,
  challenge: Received,
  { user, password }: { readonly user: string; readonly password: string },
): string {
  const request = readWire(message);
  const isProxy = challenge.code === 407;
  const asked = challenge.header(isProxy ? 'Proxy-Authenticate' : 'WWW-Authenticate') ?? '';
  const told = (name: string): string | undefined => {
    const match = new RegExp(`\\b${name}=(?:"([^"]*)"|([^,\\s]+))`, 'i').exec(asked);
    return match?.[1] ?? match?.[2];
  };
  const [realm, nonce, opaque] = [told('realm') ?? '', told('nonce') ?? '', told('opaque')];
  const algorithm = told('algorithm') ?? 'MD5';
  const name = /sha-256/i.test(algorithm) ? 'sha256' : 'md5';
  const secrets = [`${user}:${realm}:${password}`, `${request.method}:${request.uri}`].map((text) => hash(name, text));
  const fresh = /\bauth\b/.test(told('qop') ?? '') ? ['00000001', unique(), 'auth'] : [];
  const response = hash(name, [secrets[0], nonce, ...fresh, secrets[1]].join(':'));
  const credentials = [
    `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${request.uri}", response="${response}"`,
    `algorithm=${algorithm}`,
    ...(opaque === undefined ? [] : [`opaque="${opaque}"`]),
    ...(fresh.length > 0 ? [`nc=${fresh[0]}, cnonce="${fresh[1]}", qop=${fresh[2]}`] : []),
  ].join(', ');
  return request.text
    .replace(/^CSeq: \d+/m, `CSeq: ${request.cseq + 1}`)
    .replace(/branch=[^;,\s]+/, `branch=z9hG4bK${unique()}`)
    .replace(/\r\n\r\n/, `\r\n${isProxy ? 'Proxy-' : ''}Authorization: ${credentials}\r\n\r\n`);
}
