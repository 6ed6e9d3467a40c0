import type { Observation, Transport } from '../sip/observation.ts';
import { decodeToken } from '../sip/text.ts';

const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'tls', 'sctp', 'ws', 'wss'];
const BATCH_BYTES = 262_144;
const HEAD_BYTES = 8 + 1 + 4; // time, transport, size of the message
const ADDRESS_BYTES = 3; // size of the IP address and port

/** Observations in one piece of memory that goes from thread to thread without being copied. */
export class ObservationBatch {
  #bytes = Buffer.allocUnsafeSlow(BATCH_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds one; false if it does not fit any more. */
  add({ observedAt, source, destination, transport, bytes }: Observation): boolean {
    const size = HEAD_BYTES + 2 * ADDRESS_BYTES + source.ip.length + destination.ip.length + bytes.length;
    if (this.#length + size > this.#bytes.length) {
      if (this.#length > 0) return false;
      this.#bytes = Buffer.allocUnsafeSlow(size);
    }
    const batch = this.#bytes;
    let at = batch.writeDoubleLE(observedAt, this.#length);
    at = batch.writeUInt8(TRANSPORTS.indexOf(transport), at);
    at = this.#addAddress(source.ip, source.port, at);
    at = this.#addAddress(destination.ip, destination.port, at);
    at = batch.writeUInt32LE(bytes.length, at);
    batch.set(bytes, at);
    this.#length = at + bytes.length;
    return true;
  }

  /** What was added, to be handed over; the batch begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#bytes.buffer, 0, this.#length);
    this.#bytes = Buffer.allocUnsafeSlow(BATCH_BYTES);
    this.#length = 0;
    return taken;
  }

  #addAddress(ip: string, port: number, at: number): number {
    const batch = this.#bytes;
    at = batch.writeUInt8(ip.length, at);
    at += batch.write(ip, at, 'latin1');
    return batch.writeUInt16LE(port, at);
  }
}

/** The observations of a batch, in order; their bytes lie in the batch. */
export function readBatch(taken: Uint8Array<ArrayBuffer>, sink: (observation: Observation) => void): void {
  const batch = Buffer.from(taken.buffer, taken.byteOffset, taken.length);
  let at = 0;
  const readAddress = (): Observation['source'] => {
    const end = at + 1 + batch[at]!;
    const ip = decodeToken(batch, at + 1, end);
    at = end + 2;
    return { ip, port: batch.readUInt16LE(end) };
  };
  while (at < batch.length) {
    const observedAt = batch.readDoubleLE(at);
    const transport = TRANSPORTS[batch[at + 8]!]!;
    at += 9;
    const source = readAddress();
    const destination = readAddress();
    const start = at + 4;
    const end = start + batch.readUInt32LE(at);
    sink({ observedAt, source, destination, transport, bytes: batch.subarray(start, end) });
    at = end;
  }
}
