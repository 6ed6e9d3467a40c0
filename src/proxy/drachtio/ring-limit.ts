import { createSocket } from 'node:dgram';
import type { SipMessage } from '../../sip/message.ts';
import { formatHostPort } from '../../sip/uri.ts';
import type { Address } from '../../sip/observation.ts';

/** Header by which a CANCEL of ours is known in the mirror: it says nothing of the caller. */
export const RING_LIMIT_HEADER = 'X-Ringside-Ring-Limit';

const LINGER_MS = 2000;

/** The CANCEL of an INVITE that the server passed on, as text, but for the address it comes from. RFC 3261 §9.1. */
export function makeCancel(invite: SipMessage, proof: string): (from: Address) => string {
  const start = `CANCEL ${invite.target} SIP/2.0\r\n`;
  const { branch, callId, cseq } = invite;
  const lines = [
    `From: ${invite.raw('From')}`,
    `To: ${invite.raw('To')}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} CANCEL`,
    'Max-Forwards: 70',
    'Reason: SIP;cause=408;text="Request Timeout"',
    `${RING_LIMIT_HEADER}: ${proof}`,
    'Content-Length: 0',
  ];
  return (from) =>
    `${start}Via: SIP/2.0/UDP ${formatHostPort(from)};branch=${branch};rport\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * Ends the ringing: the server knows no such limit, and no command for it either, but takes a CANCEL from anywhere that names the
 * transaction. Sent to its SIP address over UDP.
 */
export function sendCancel(cancel: (from: Address) => string, server: Address): void {
  const socket = createSocket(server.ip.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => {}); // nobody is there: then nothing rings either
  setTimeout(() => socket.close(), LINGER_MS).unref();
  socket.connect(server.port, server.ip, () => {
    const { address, port } = socket.address();
    socket.send(Buffer.from(cancel({ ip: address, port }), 'latin1'));
  });
}
