/** Error codes of the UnifiedAPI; `pce_url_invalid`, `pce_status_invalid`, `pce_note_invalid`, `startindex_invalid`, `request_invalid` and `too_many_requests` are by its pattern, not by its tables. */
const MESSAGES = {
  access_denied: [401, 'You are not authorized to use this request.'],
  too_many_requests: [429, 'There were too many failures. Try again later.'],
  pcet_type_invalid: [
    400,
    'The type is missing or invalid: 0 Dial-In, 1 Dial-Out, 2 Hangup, 3 Answer on incoming call, 4 Answer on outgoing call.',
  ],
  pce_type_invalid: [
    400,
    'The type is missing or invalid: 0 Dial-In, 1 Dial-Out, 2 Hangup, 3 Answer on incoming call, 4 Answer on outgoing call.',
  ],
  pce_method_invalid: [400, 'The method is missing or invalid: 0 GET, 1 POST.'],
  pce_url_invalid: [400, 'The URL is missing or invalid.'],
  pce_status_invalid: [400, 'The status is invalid: 0 disabled, 1 enabled.'],
  pce_note_invalid: [400, 'The note is invalid.'],
  pce_id_invalid: [400, 'The id of the phone call event is invalid.'],
  extension_invalid: [400, 'The extension is invalid.'],
  user_invalid: [400, 'The user is invalid.'],
  fields_invalid: [400, 'Parameter fields is invalid.'],
  count_invalid: [400, 'Parameter count is invalid.'],
  startindex_invalid: [400, 'Parameter startIndex is invalid.'],
  filterby_invalid: [400, 'Parameter filterBy is invalid.'],
  filterop_invalid: [400, 'Parameter filterOp is invalid.'],
  filtervalue_invalid: [400, 'Parameter filterValue is invalid.'],
  sortorder_invalid: [400, 'Parameter sortOrder is invalid.'],
  request_invalid: [400, 'The body of the request is invalid.'],
  request_not_implemented: [501, 'The request is not implemented.'],
  internal_server_error: [500, 'An internal error occurred.'],
} as const satisfies { readonly [code: string]: readonly [status: number, message: string] };

export type UnifiedCode = keyof typeof MESSAGES;

/** A request of the UnifiedAPI can't be answered as it is. */
export class UnifiedError extends Error {
  override readonly name = 'UnifiedError';
  readonly code: UnifiedCode;

  constructor(code: UnifiedCode, message: string = MESSAGES[code][1]) {
    super(message);
    this.code = code;
  }

  get statusCode(): number {
    return MESSAGES[this.code][0];
  }

  get body(): object {
    return { error: { code: this.code, message: this.message } };
  }
}
