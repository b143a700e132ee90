package htpasswd

import "bytes"

// hashPrefixes are the beginnings of the hashes that Parse supports.
var hashPrefixes = [][]byte{
	[]byte("{PLAIN}"), []byte("{SHA}"), []byte("{SSHA}"), []byte("$2"), []byte(apr1Magic), []byte(md5Magic),
	[]byte("$5$"), []byte("$6$"),
}

// IsHash reports whether text looks like the hash of a user: the text after the first colon of a line. It distinguishes lists of
// users from other data of Secrets.
func IsHash(text []byte) bool {
	const longest = 512
	if len(text) > longest {
		return false
	}
	for _, prefix := range hashPrefixes {
		if bytes.HasPrefix(text, prefix) {
			return true
		}
	}
	_, hash, isDigest := bytes.Cut(bytes.TrimSpace(text), []byte(":"))
	return isDigest && isDigestHash(hash)
}
