/** Classes of characters, as they stand between the brackets of a regular expression with the flag u. */

/**
 * What moves, hides or reorders text: controls (Cc), format characters (Cf: bidi, zero width, tags), lone surrogates
 * (Cs), separators (Zl, Zp), and whatever else Unicode wants drawn as nothing (fillers, variation selectors).
 * https://unicode.org/reports/tr36/#Bidirectional_Text_Spoofing, https://trojansource.codes
 */
export const HIDDEN = String.raw`\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}`;

/** What is blank to the eye. Of symbols there is no property for it: Braille without a dot, a note without a head. */
export const BLANK = String.raw`\p{Z}\p{Noncharacter_Code_Point}\u2800\u{1d159}`;
