/** Frames as zstd 1.5 (node:zlib of Node 22) wrote them, so that a Node without zstd is tested with real ones. */
const base64 = (...lines: readonly string[]) => Buffer.from(lines.join(''), 'base64');

/** Several blocks at level 19, with a checksum. */
export const LONG = base64(
  'KLUv/aR0WQMAVCgAakHgBxtwaUEhB+4ahlQEXtD//zB2V6SsSHRP9//WfAGFAHAAcQANHbmjEcFYKEKM3CyD5CgGjt',
  'zrYtymhY3caoiapKCRezoxnI0mzMgtlRDKRBJk5H4f53c9fOR2HaZnOXjkbhtlVzV05I5GBGOhCDFyswySoxg4cq+L',
  'cZsWNnKrClGTFDRyN7gDChA4oIAADihIYAABAsjAAoMBgsGCBBIsGAAQEAwGGCgQIy+D5CgGyr0uxm1a2MitKkRNUt',
  'DIPZ0YzkYTZuSWSghlIgky8v//f9u2bbtt27YduaMRwVgoQozcLIPkKAaO3Oti3KaFjdyqQtQkBY3c04nhbDRhRm6p',
  'hFAmkiAj9/v4dz185HYdpmc5eORuG2VXBdPCRm5VIWqSgkbu6cRwNpowI7dUQiaSICP3+zi/6+Ejt+swPcvBI3fbKL',
  'uqoSN3NCIYC0WIkZtlkBzFwJF7XYzbtLCRW1WImqSguacTw9GEGbklhDKRBBm538f5PXzkdk3PcvDI3TbKrurIHY2I',
  'hSJEnhjORhNm5JZKCGUSZOR+z+96+MjtOkzP8sjdNrqqoSNvRDAWihByswySoxg4cq+LcZsWNnKrClGTFDRyTwxnow',
  'kzckslhDIJMnK/53c9fOR2HaZneeRuG2VXNXTkjkYEY6EIMXKzDJKjGDhyr4txC4LDqBI59XttBpJWkYgEVchwEkgQ',
  'SCAIPIwjQBCChGCYI0AQgqmCpOh1ewdibp6RxnXROAkHn8n915vE0Lp9h2ufMZt4CxspvaTT67dKKMyI2Sa6HOc3xb',
  '5hGQn95xOBmUYbMcfjU3Fc0uqnqIZ1DbvQoGwXWqugq8z42ieP8KlBh2DBQH4DZNF8U9rio41/1b63f+N7faznmtlN',
  'HOSMzie3fZSgesNC2mn+S8/JAhlLAIC42/Kpql3/hxdBQWnNj+UPZ1TfLSvj26XWIugqN7L2aQLQm+hbaU9xt+i2Cr',
  'zij67xEzprsESQMZAhIJ+lKueu6XODX/27fHf/py/ivWpjdWcpAND3W/0qaDmQm5QuBlH+7qWM7Mqeet7Mz+oYKvVO',
  'i5YvOwSzXZGj/i+7WbUGRd3zxstXB2GaU+o096dnpeCSaYNyD0tY9CCHBPkF8gNy/WNbqkYjpxvEpN2MJ9/851/Mt/',
  'Y/faKvbsxMghTE8503KGYyOmfzm/eBOaR5Q9AVX2a2cDY20npnp9e+ElCZ8fMJvDBKZ9UM4zIC+s8kinGdMmmOgKfj',
  'uKTdzJFO65q2oGEdfoQvOuhtwVIFMgLkz8IaVe/nN5QVcjL73LNsXA4lZdcGpUtush1bRbesoOBJL/Taryr95G1Xi9',
  '/MHLPjcHttj7cXr2/OOd0fIUTt18FXm7HaWBpY/lkdA1WZadGmb4cgslN00unRjLC2QTYqyOtARgFyZTGnxfr8R1l9',
  'Hsm2vOTistCqkThYFVndV1cNK1t1JBKfrlst/fXgEcG64u9bPdJcpy1kWPtFtVXolzV0/XkC4VvVu+qcc7bUtgp62R',
  '5fP0oh9Ca9XrdfJhQeRMfxC18DnQ1YUR405/bnDuY12T335+U4x+oMUnVmI6Xv/cTYXtmR683/ma6jqtq0cPl1RzPb',
  'Kzrq/uWb1WtUrTlPvPz0UGZ7pY7z/3zTim6dOu6HS0u9r2xU7fOBJmQMMhTkt0BWBeT3H1d+U3R4nwOPLhb/NgKKf6',
  '4Q8HoWFCNqw4d5qoOpGJNNAUatVQAAAAEAcVnUtLkGAqrwIBs=',
);
export const LONG_TEXT = Array.from(
  { length: 4000 },
  (_, i) => `{"n":${i % 97},"text":"${'lorem ipsum '.repeat(i % 7)}"}\n`,
).join('');

/** Without a checksum. */
export const SHORT = base64('KLUv/SAiEQEAc2Vjb25kIGZyYW1lOiBubyBjaGVja3N1bSwgaMOpbGxvCg==');
export const SHORT_TEXT = 'second frame: no checksum, héllo\n';

/** Of no bytes, with a checksum. */
export const EMPTY = base64('KLUv/SQAAQAAmenYUQ==');

/** Three bytes that are no data (RFC 8878 §3.1.2). */
export const SKIPPABLE = Buffer.from('5e2a4d1803000000010203', 'hex');

/** A frame of one block that is not compressed at all: by hand. */
export function raw(text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.from('28b52ffda000000000000000', 'hex');
  head.writeUInt32LE(bytes.length, 5);
  head.writeUIntLE((bytes.length << 3) | 1, 9, 3);
  return Buffer.concat([head, bytes]);
}
