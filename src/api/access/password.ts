import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { PASSWORD_HASH } from '../../http-options.ts';

const LOG_N = 15;
const R = 8;
const P = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
// What a hash of the configuration may ask for.
const MAX_MEMORY = 2 ** 30;

/** Hashes a password with scrypt and a salt of its own: `$scrypt$ln=15,r=8,p=1$SALT$HASH`. RFC 7914. */
export async function hashPassword(password: string, logN = LOG_N): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, HASH_BYTES, { logN, r: R, p: P });
  return `$scrypt$ln=${logN},r=${R},p=${P}$${encode(salt)}$${encode(hash)}`;
}

/** Whether the password is the one that was hashed. */
export async function verifyPassword(password: string, hashed: string): Promise<boolean> {
  const [, logN, r, p, salt, hash] = PASSWORD_HASH.exec(hashed)!;
  const expected = Buffer.from(hash!, 'base64');
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  return timingSafeEqual(await derive(password, Buffer.from(salt!, 'base64'), expected.length, cost), expected);
}

const encode = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

interface Cost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** The same password may be typed in different forms of Unicode. RFC 8265 §4.2. */
const derive = (password: string, salt: Buffer, length: number, { logN, r, p }: Cost): Promise<Buffer> =>
  new Promise((done, fail) =>
    scrypt(password.normalize('NFC'), salt, length, { N: 2 ** logN, r, p, maxmem: MAX_MEMORY }, (error, key) =>
      error ? fail(error) : done(key),
    ),
  );
