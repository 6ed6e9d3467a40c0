import type { Step } from '../calls/harness.ts';

/** 101 calls 102, on a leg of its own Call-ID. */
export const callSteps = (
  callId: string,
  more: Partial<Step> = {},
): Record<'invite' | 'ring' | 'answer' | 'busy' | 'ack' | 'bye', Step> => {
  const now = Date.now() / 1000 - Date.UTC(2026, 0, 1) / 1000;
  const leg = { callId, uri: 'sip:102@192.0.2.102', branch: `z9hG4bK${callId}`, ...more };
  return {
    invite: { at: now, say: 'INVITE', ...leg },
    ring: { at: now + 0.1, say: '180 Ringing', toTag: 'b', ...leg },
    answer: { at: now + 0.2, say: '200 OK', toTag: 'b', ...leg },
    busy: { at: now + 0.2, say: '486 Busy Here', toTag: 'b', ...leg },
    ack: { at: now + 0.3, say: 'ACK', toTag: 'b', ...leg, branch: `z9hG4bK${callId}ack` },
    bye: { at: now + 0.4, say: 'BYE', toTag: 'b', ...leg, branch: `z9hG4bK${callId}bye` },
  };
};
