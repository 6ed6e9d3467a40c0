import { tellError } from './notices.tsx';
import './switch.css';

interface SwitchProps {
  readonly label: string;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onToggle: () => Promise<void>;
}

/** On or off, at once. */
export function Switch({ label, checked, disabled = false, onToggle }: SwitchProps) {
  return (
    <button
      type="button"
      class="switch"
      role="switch"
      aria-label={label}
      aria-checked={checked}
      disabled={disabled}
      onClick={() => void onToggle().catch(tellError)}
    >
      <i />
    </button>
  );
}
