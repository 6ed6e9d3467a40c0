import { hash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { Options } from '../options.ts';
import type { RuleTls } from './rule.ts';

type TlsOptions = NonNullable<Options['callEvents'][number]['tls']>;
const FIELDS = ['ca', 'cert', 'key'] as const;
type Field = (typeof FIELDS)[number];

/** A file of a rule's TLS can't be used. */
export class TlsFileError extends Error {
  override readonly name = 'TlsFileError';
  readonly field: Field;

  constructor(field: Field, text: string) {
    super(text);
    this.field = field;
  }
}

/** Reads the files that a rule names; `folder` is where relative ones are. @throws TlsFileError */
export function readTls(options: TlsOptions, folder: string): RuleTls {
  const [ca, cert, key] = FIELDS.map((field) => readText(options, field, folder));
  if (ca !== undefined && !areCertificates(ca)) throw unusable(options, 'ca', 'certificates (PEM) are expected');
  const { minVersion } = options;
  const id = hash('sha256', JSON.stringify([ca, cert, key, minVersion]), 'hex');
  try {
    return { id, context: createSecureContext({ ca, cert, key, minVersion }) };
  } catch (error) {
    throw unusable(options, areCertificates(cert ?? '') ? 'key' : 'cert', (error as Error).message);
  }
}

const unusable = (options: TlsOptions, field: Field, reason: string): TlsFileError =>
  new TlsFileError(field, `${options[field] ?? ''} can't be used: ${reason}`);

function readText(options: TlsOptions, field: Field, folder: string): string | undefined {
  const file = options[field];
  if (file === undefined) return undefined;
  try {
    return readFileSync(resolve(folder, file), 'utf8');
  } catch (error) {
    throw new TlsFileError(field, `${file} can't be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Of authorities that are none, Node.js tells nothing: it trusts nobody then. */
function areCertificates(text: string): boolean {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [''];
  try {
    return blocks.every((block) => new X509Certificate(block) instanceof X509Certificate);
  } catch {
    return false;
  }
}
