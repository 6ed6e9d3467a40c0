/** Parameter of a Refer-To's URI, by which the INVITE that it causes is known again. Design §5.1. */
const NAME = 'x-callapiid';

const SIP_URI = /<(sips?:[^<>?]*)(\?[^<>]*)?>/i;
const PARAMETER = new RegExp(`;${NAME}=([^;?>\\s]*)`, 'i');

/** The Refer-To with a CallAPIID in its URI; as it is where there is no SIP URI in angle brackets, or a marker already. */
export function markReferTo(value: string, id: string): string {
  if (PARAMETER.test(value)) return value;
  return value.replace(SIP_URI, (_, uri: string, headers = '') => `<${uri};${NAME}=${id}${headers}>`);
}

/** The CallAPIID in a URI or an address; empty if there is none. */
export const readReferMarker = (text: string): string => (text.includes(NAME) ? (PARAMETER.exec(text)?.[1] ?? '') : '');

/** The URI without it. */
export const removeReferMarker = (uri: string): string => (uri.includes(NAME) ? uri.replace(PARAMETER, '') : uri);
