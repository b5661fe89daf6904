export interface AskedOf {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
  };
}

export interface ScriptedModel {
  readonly url: string;
  readonly asked: AskedOf[];
  /** Lets every prompt marked [wait] be answered, now and later. */
  release(): void;
  close(): Promise<void>;
}

/** @param onLeave what happens while a prompt marked [leaver] is being answered. */
export function startScriptedModel(onLeave?: () => void | Promise<void>): Promise<ScriptedModel>;
