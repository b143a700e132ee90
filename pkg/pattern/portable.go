package pattern

import "strings"

// portableEscapes are the letters that have the same meaning after a backslash in RE2 and PCRE, for printable ASCII.
const portableEscapes = "dDwWsSbBAztnr"

// IsPortable reports whether an expression is valid, and PCRE reads it as RE2 does: both match the same values in printable
// ASCII. It may return false for an expression that both read alike.
func IsPortable(text string) bool {
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch c := text[i]; {
		case c < ' ', c >= 0x7f:
			return false // PCRE compares bytes
		case c == '\\':
			if i++; i == len(text) || isLetterOrDigit(text[i]) && strings.IndexByte(portableEscapes, text[i]) < 0 {
				return false
			}
		case strings.HasPrefix(rest, "(?") && !strings.HasPrefix(rest, "(?:") && !strings.HasPrefix(rest, "(?i)"):
			return false
		case strings.HasPrefix(rest, "{,"):
			return false // a quantifier in later versions of PCRE
		}
	}
	_, err := Compile(text)
	return err == nil
}

func isLetterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
