/** Base of all intervals: an estimate of the round trip, in ms. RFC 3261 §17.1.1.1. */
export const T1_MS = 500;
/** Longest interval between retransmissions of non-INVITE requests and of responses to INVITE. */
export const T2_MS = 4000;
/** How long a message stays in the network. */
export const T4_MS = 5000;
/** Timers B, F, H, J, L and M. RFC 3261 §17.1.1.2, RFC 6026 §8.4. */
export const TIMEOUT_MS = 64 * T1_MS;
/** Timer C: how long an INVITE may ring. RFC 3261 §16.6 step 11. */
export const TIMER_C_MS = 185_000;

export type ClientState = 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated';
export type ServerState = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated';
export type ResponseClass = 'provisional' | 'success' | 'failure';

type ClientTable = { readonly [state in ClientState]: { readonly [response in ResponseClass]: ClientState } };

/** Where a response takes a client transaction of an INVITE. RFC 3261 figure 5, RFC 6026 figure 5. */
export const INVITE_CLIENT: ClientTable = {
  calling: { provisional: 'proceeding', success: 'accepted', failure: 'completed' },
  proceeding: { provisional: 'proceeding', success: 'accepted', failure: 'completed' },
  accepted: { provisional: 'accepted', success: 'accepted', failure: 'accepted' },
  completed: { provisional: 'completed', success: 'completed', failure: 'completed' },
  terminated: { provisional: 'terminated', success: 'terminated', failure: 'terminated' },
};

/** The same for any other request. RFC 3261 figure 6. */
export const OTHER_CLIENT: ClientTable = {
  ...INVITE_CLIENT,
  calling: { provisional: 'proceeding', success: 'completed', failure: 'completed' },
  proceeding: { provisional: 'proceeding', success: 'completed', failure: 'completed' },
};

type ServerTable = { readonly [state in ServerState]: { readonly [response in ResponseClass]: ServerState } };

/** Where a response that is sent takes a server transaction of an INVITE. RFC 3261 figure 7, RFC 6026 figure 6. */
export const INVITE_SERVER: ServerTable = {
  proceeding: { provisional: 'proceeding', success: 'accepted', failure: 'completed' },
  accepted: { provisional: 'accepted', success: 'accepted', failure: 'accepted' },
  completed: { provisional: 'completed', success: 'completed', failure: 'completed' },
  confirmed: { provisional: 'confirmed', success: 'confirmed', failure: 'confirmed' },
  terminated: { provisional: 'terminated', success: 'terminated', failure: 'terminated' },
};

/** The same for any other request. RFC 3261 figure 8. */
export const OTHER_SERVER: ServerTable = {
  ...INVITE_SERVER,
  proceeding: { provisional: 'proceeding', success: 'completed', failure: 'completed' },
};

export const classOf = (code: number): ResponseClass =>
  code < 200 ? 'provisional' : code < 300 ? 'success' : 'failure';
