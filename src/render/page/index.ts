/** What `lakelog report` writes; loaded by nobody else, because it draws. */
export { renderPage } from './html.js';
export { renderPageMarkdown } from './markdown.js';
