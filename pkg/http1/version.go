package http1

const versionBytes = len("HTTP/1.1")

// parseVersion parses the protocol version at i. Later minor versions of HTTP/1 are compatible with HTTP/1.1 (RFC 9110, section
// 2.5), so their minor version is 1 here, too.
func parseVersion(buf []byte, i int) (minor int, err error) {
	if len(buf) < i+versionBytes {
		return 0, partialVersion(buf[i:])
	}
	switch string(buf[i : i+versionBytes]) {
	case "HTTP/1.1":
		return 1, nil
	case "HTTP/1.0":
		return 0, nil
	}
	return otherVersion(buf[i : i+versionBytes])
}

const versionForm = "HTTP/d.d"

// partialVersion returns ErrIncomplete if text is a prefix of a version, and ErrVersion otherwise.
func partialVersion(text []byte) error {
	for i, b := range text {
		if !fitsVersion(i, b) {
			return ErrVersion
		}
	}
	return ErrIncomplete
}

// otherVersion parses a version other than HTTP/1.0 and HTTP/1.1. It returns ErrVersionUnknown if its major version is not
// supported, and ErrVersion if it is malformed.
func otherVersion(text []byte) (minor int, err error) {
	if err := partialVersion(text); err != ErrIncomplete {
		return 0, err
	}
	if string(text[:len("HTTP/1.")]) != "HTTP/1." {
		return 0, ErrVersionUnknown
	}
	return 1, nil
}

func fitsVersion(i int, b byte) bool {
	if versionForm[i] == 'd' {
		return '0' <= b && b <= '9'
	}
	return versionForm[i] == b
}
