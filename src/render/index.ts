import { renderAccounting as accounting } from './accounting.js';
import {
  renderAck as ack,
  renderAckList as ackList,
  renderBaseline as baseline,
  renderRemoved as removed,
} from './ack.js';
import { asciiWhereAsked } from './ascii.js';
import { renderCheckFindings as checkFindings, renderCheckReceipt as checkReceipt } from './check.js';
import { renderConfig as config } from './config.js';
import { renderCsv, renderTsv } from './csv.js';
import { renderFindings as findings } from './findings.js';
import {
  renderCompacted as compacted,
  renderFilesCheck as filesCheck,
  renderFolderInfo as folderInfo,
} from './folder-lake.js';
import { renderGithub } from './github.js';
import { renderJson, renderJsonLines } from './json.js';
import { renderJunit } from './junit.js';
import { renderLakeInfo as lakeInfo, renderLogChecks as logChecks } from './lake.js';
import { renderList as list } from './list.js';
import { renderMarkdown } from './md.js';
import { renderNext as next } from './next.js';
import { renderProm } from './prom.js';
import { renderReceipt as receipt } from './receipt.js';
import type { Renderer, Style, TextFormat } from './report.js';
import { renderSarif } from './sarif.js';
import { renderStory as story } from './story.js';
import { renderTable } from './table.js';
import { renderWatch as watch } from './watch.js';

export { filesResult, rejectsResult } from './accounting.js';
export type { AckState, Baseline } from './ack.js';
export type { CheckReport, Part } from './check.js';
export { checkFormats } from './check-formats.js';
export { type ErrorText, renderError } from './error.js';
export { formatNames, formatOfFile, gateFormatNames } from './format-names.js';
export { renderProgress } from './progress.js';
export type { Format, Renderer, Report, Style, TextFormat } from './report.js';
export { sanitize } from './sanitize.js';
export { renderStoryJson } from './story-json.js';
export { renderCheckSummary, renderStepSummary } from './summary.js';
export { renderWatchJson, type WatchEvent } from './watch.js';

export const renderAccounting = asciiWhereAsked(accounting);
export const renderAck = asciiWhereAsked(ack);
export const renderAckList = textWhereAsked(ackList);
export const renderBaseline = asciiWhereAsked(baseline);
export const renderRemoved = asciiWhereAsked(removed);
export const renderCheckFindings = asciiWhereAsked(checkFindings);
export const renderCheckReceipt = asciiWhereAsked(checkReceipt);
export const renderConfig = asciiWhereAsked(config);
export const renderFindings = asciiWhereAsked(findings);
export const renderLakeInfo = asciiWhereAsked(lakeInfo);
export const renderFolderInfo = asciiWhereAsked(folderInfo);
export const renderFilesCheck = asciiWhereAsked(filesCheck);
export const renderCompacted = asciiWhereAsked(compacted);
export const renderLogChecks = asciiWhereAsked(logChecks);
export const renderList = textWhereAsked(list);
export const renderNext = asciiWhereAsked(next);
export const renderReceipt = asciiWhereAsked(receipt);
export const renderStory = asciiWhereAsked(story);
export const renderWatch = asciiWhereAsked(watch);

export const formats: Readonly<Record<TextFormat, Renderer>> = {
  table: asciiWhereAsked(renderTable),
  json: renderJson,
  jsonl: renderJsonLines,
  csv: renderCsv,
  tsv: renderTsv,
  md: renderMarkdown,
  github: renderGithub,
  junit: renderJunit,
  prom: renderProm,
  sarif: renderSarif,
};

/** The same of what may be JSON, which is what it is in every locale. */
function textWhereAsked<T>(render: (data: T, asJson: boolean, style: Style) => string): typeof render {
  const text = asciiWhereAsked(render);
  return (data, asJson, style) => (asJson ? render : text)(data, asJson, style);
}
