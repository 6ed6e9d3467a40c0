import t from 'tap';
import { SCENARIOS } from './drachtio-scenarios.ts';
import { keepRecording, playAgain, playLive, readRecording } from './drachtio-stage.ts';
import { findProgram } from './support/ports.ts';

// The drachtio engine. Without a drachtio server only what one said once is played again; `RECORD=1` records it anew.

const isThere = findProgram('drachtio') !== undefined;
const isRecording = process.env['RECORD'] === '1';
if (!isThere) console.error('NOT TESTED with a drachtio server: there is no drachtio in the PATH, nor DRACHTIO_BIN');

t.test('with a drachtio server', { skip: !isThere }, async (t) => {
  for (const scenario of SCENARIOS) {
    await t.test(scenario.name, async (t) => {
      const { told, recording } = await playLive(t, scenario);
      t.strictSame(told, scenario.told.toSorted());
      if (isRecording) keepRecording(scenario.name, recording);
    });
  }
});

t.test('with what a drachtio server said once', async (t) => {
  for (const { name, told } of SCENARIOS) {
    await t.test(name, async (t) => {
      const played = await playAgain(t, readRecording(name));
      t.strictSame(played.differences, [], 'the engine says the same');
      t.strictSame(played.told, told.toSorted());
    });
  }
});
