import type { Address, Observation } from '../sip/observation.ts';
import type { BindingSink } from './bindings.ts';

/** What a SIP engine tells. Nothing here may take long, or throw: calls would wait. */
export interface EngineEvents {
  onObservation(observation: Observation): void;
  onBindings: BindingSink;
  /** Where the PBX is: its name was resolved. */
  onUpstream(places: readonly Address[]): void;
  /** Input that was of no use, by reason. */
  onDrop(reason: string): void;
  onLog(level: 'info' | 'warn', text: string, about: object): void;
}

/** A SIP engine: stands in the path, and lets calls through. */
export interface SipEngine {
  /** Starts; returns the addresses it listens on, such as `udp:127.0.0.1:5060`. @throws Error where one can't be had. */
  start(): Promise<string[]>;
  /** Refuses new calls, waits up to so many ms for what is under way, and stops. */
  stop(drainMs: number): Promise<void>;
}
