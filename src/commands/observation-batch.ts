import type { Observation, Transport } from '../sip/observation.ts';
import { decodeText, decodeToken } from '../sip/text.ts';

const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls', 'sctp', 'ws', 'wss'];
const HEAD_BYTES = 8 + 1 + 2 + 4; // time, transport, sizes of the correlation id and of the message
const ADDRESS_BYTES = 3; // size of the IP address and port

/** Room for a batch; what is larger than usual does not come back into use. */
export const BATCH_BYTES = 262_144;

/** Observations in memory that two threads share, so that nothing is copied from one to the other. */
export class ObservationBatch {
  readonly memory: SharedArrayBuffer;
  readonly #bytes: Buffer;
  #length = 0;

  constructor(memory = new SharedArrayBuffer(BATCH_BYTES)) {
    this.memory = memory;
    this.#bytes = Buffer.from(memory);
  }

  /** Bytes in use. */
  get length(): number {
    return this.#length;
  }

  /** What it takes to add an observation. */
  static sizeOf({ source, destination, bytes, correlationId = '' }: Observation): number {
    const addresses = 2 * ADDRESS_BYTES + source.ip.length + destination.ip.length;
    return HEAD_BYTES + addresses + Buffer.byteLength(correlationId) + bytes.length;
  }

  /** Adds one; false if it does not fit any more. */
  add(observation: Observation): boolean {
    const { observedAt, source, destination, transport, bytes, correlationId = '' } = observation;
    const batch = this.#bytes;
    if (this.#length + ObservationBatch.sizeOf(observation) > batch.length) return false;
    let at = batch.writeDoubleLE(observedAt, this.#length);
    at = batch.writeUInt8(TRANSPORTS.indexOf(transport), at);
    at = this.#addAddress(source.ip, source.port, at);
    at = this.#addAddress(destination.ip, destination.port, at);
    at = this.#addCorrelation(correlationId, at);
    at = batch.writeUInt32LE(bytes.length, at);
    batch.set(bytes, at);
    this.#length = at + bytes.length;
    return true;
  }

  /** Begins anew: what was in it has been read. */
  clear(): void {
    this.#length = 0;
  }

  #addCorrelation(id: string, at: number): number {
    const size = id === '' ? 0 : this.#bytes.write(id, at + 2);
    return this.#bytes.writeUInt16LE(size, at) + size;
  }

  #addAddress(ip: string, port: number, at: number): number {
    const batch = this.#bytes;
    batch[at++] = ip.length;
    for (let i = 0; i < ip.length; i++) batch[at++] = ip.charCodeAt(i); // faster than a call for so few
    return batch.writeUInt16LE(port, at);
  }
}

/** The observations in the first `length` bytes of a batch, in order; their bytes lie in it. */
export function readBatch(memory: SharedArrayBuffer, length: number, sink: (observation: Observation) => void): void {
  const batch = Buffer.from(memory, 0, length);
  let at = 0;
  const readAddress = (): Observation['source'] => {
    const end = at + 1 + batch[at]!;
    const ip = decodeToken(batch, at + 1, end);
    at = end + 2;
    return { ip, port: batch.readUInt16LE(end) };
  };
  const readCorrelation = (): string => {
    const start = at + 2;
    at = start + batch.readUInt16LE(at);
    return at === start ? '' : decodeText(batch, start, at);
  };
  while (at < batch.length) {
    const observedAt = batch.readDoubleLE(at);
    const transport = TRANSPORTS[batch[at + 8]!]!;
    at += 9;
    const source = readAddress();
    const destination = readAddress();
    const correlationId = readCorrelation();
    const start = at + 4;
    const end = start + batch.readUInt32LE(at);
    const bytes = batch.subarray(start, end);
    sink({ observedAt, source, destination, transport, bytes, ...(correlationId !== '' && { correlationId }) });
    at = end;
  }
}
