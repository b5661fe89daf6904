export function manualPages(): Promise<Record<string, string>>;
