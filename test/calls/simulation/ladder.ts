import type { Observation } from '../../../src/sip/observation.ts';
import type { TrueCall } from './pbx-leg.ts';
import type { Run } from './run.ts';

const MARK = Buffer.from('\r\nCall-ID: ');

/** The Call-ID of a message that the simulation wrote. */
export function callIdOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = buffer.indexOf(MARK) + MARK.length;
  return buffer.toString('latin1', start, buffer.indexOf('\r\n', start));
}

const TOLD = ['From', 'CSeq', 'P-Asserted-Identity', 'Refer-To', 'Referred-By', 'Diversion', 'Reason'];

/** The messages of a call, one a line, retransmissions left out. */
export function drawLadder({ observations, truth }: Run, call: TrueCall): string[] {
  const own = new Set(
    truth.legs.filter(({ origin }) => origin.call.whole === call).map(({ session }) => session.callId),
  );
  const lines = new Set<string>();
  const seen = new Set<string>();
  for (const observation of observations) {
    const text = Buffer.from(observation.bytes).toString('latin1');
    if (!own.has(callIdOf(observation.bytes)) || seen.has(text) || /^ACK|^SIP\/2.0 100/.test(text)) continue;
    seen.add(text);
    lines.add(drawMessage(observation, text, observations[0]!.observedAt));
  }
  return [...lines];
}

function drawMessage({ observedAt, source, destination, bytes }: Observation, text: string, start: number): string {
  const [first = '', ...rest] = text.split('\r\n');
  const headers = rest.filter((line) => TOLD.includes(line.split(':')[0]!)).join(' | ');
  const at = ((observedAt - start) / 1000).toFixed(3);
  return `${at} ${source.ip} → ${destination.ip} [${callIdOf(bytes).slice(0, 6)}] ${first} | ${headers}`;
}
