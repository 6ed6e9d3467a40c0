import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { hashPassword } from '../api/access/password.ts';
import type { TextOutput } from './output.ts';

const MIN_LENGTH = 8;

/** Reads a password and prints its hash for `http.users`. Returns the exit code: 0, or 2 for one that is too short. */
export async function printPasswordHash(
  input: Readable & { isTTY?: boolean },
  out: TextOutput,
  err: TextOutput,
): Promise<number> {
  const password = input.isTTY ? await askPassword(input, err) : await readLine(input);
  if (password.length < MIN_LENGTH) {
    err.write(`ringside: a password of at least ${MIN_LENGTH} characters is expected\n`);
    return 2;
  }
  out.write(`${await hashPassword(password)}\n`);
  return 0;
}

/** Nothing of it is shown while it is typed. */
async function askPassword(input: Readable, err: TextOutput): Promise<string> {
  err.write('Password: ');
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input, output: hidden, terminal: true });
  const password = await terminal.question('');
  terminal.close();
  err.write('\n');
  return password;
}

async function readLine(input: Readable): Promise<string> {
  let text = '';
  for await (const chunk of input) text += String(chunk);
  return text.replace(/\r?\n$/, '');
}
