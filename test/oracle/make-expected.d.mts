import type {
  AlarmRow,
  CorpusRow,
  FileAccount,
  FirstShotRateRow,
  FirstShotRow,
  Reject,
  RejectionsRow,
  TripleRejectionsRow,
} from './oracle.mjs';

export interface Expected {
  'first-shot-rate.json': FirstShotRateRow[];
  'alarm.json': AlarmRow[];
  'first-shot.json': FirstShotRow[];
  'triple-rejections.json': TripleRejectionsRow[];
  'corpus.json': CorpusRow[];
  'rejections.json': RejectionsRow[];
  'accounting.json': {
    files: FileAccount[];
    rejects: Reject[];
    conflicts: number;
    inconsistent: number;
    not_judgeable: number;
  };
}

/** Absolute paths of fixtures/<scenario>, those with a sessions.jsonl. */
export function scenarioFolders(root?: string): string[];
/** Where the golden files of a scenario are, by its name or folder; `root` is fixtures/expected. */
export function expectedFolder(scenario: string, root?: string): string;
/** By golden file name; files are named as seen from inside the folder, and nothing is ever pending. */
export function expectedFor(folder: string): Expected;
