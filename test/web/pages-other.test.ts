import t from 'tap';
import { DESK, noBrowser, PHONE } from './browser.ts';
import { inspectPages, LOOKS } from './every-page.ts';

t.test('every page in the dark', { skip: noBrowser }, (t) => inspectPages(t, DESK, 'dark', LOOKS));
t.test('every page on a phone', { skip: noBrowser }, (t) => inspectPages(t, PHONE, 'light', LOOKS));
