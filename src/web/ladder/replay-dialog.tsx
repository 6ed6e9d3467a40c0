import { useSignal } from '@preact/signals';
import type { Requeued, Rules } from '../../api/types.ts';
import { get, request } from '../api-client.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Select } from '../parts/field.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { tell } from '../parts/notices.tsx';
import { count } from '../words.ts';

/** Sends the events of a call once more, to one rule. */
export function ReplayDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const { value } = useLoaded('rules', () => get<Rules>('/rules'));
  const rules = (value?.rules ?? []).filter(({ enabled }) => enabled);
  const chosen = useSignal('');
  const rule = chosen.value || rules[0]?.id;
  const send = async (): Promise<void> => {
    const { deliveries } = await request<Requeued>('POST', `/calls/${id}/replay`, { rule });
    tell(`${count(deliveries, 'event')} sent again.`);
    onClose();
  };
  return (
    <Dialog title="Send the events of this call once more" onClose={onClose}>
      <div class="dialog-body">
        <p class="soft">
          All of them, whether the rule asks for them or not. The script can tell them by their EventID from new ones.
        </p>
        <Select
          label="To the script of the rule"
          value={rule ?? ''}
          options={rules.map(({ id: value, note, method, url }) => ({ value, label: note || `${method} ${url}` }))}
          onChoose={(picked) => (chosen.value = picked)}
        />
      </div>
      <footer>
        <Button onClick={onClose}>Cancel</Button>
        <Button kind="primary" icon="send" disabled={rule === undefined} onClick={send}>
          Send
        </Button>
      </footer>
    </Dialog>
  );
}
