import t from 'tap';
import { DESK, noBrowser } from './browser.ts';
import { inspectPages } from './every-page.ts';

t.test('every page is for everyone', { skip: noBrowser }, (t) => inspectPages(t, DESK, 'light'));
