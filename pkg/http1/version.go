package http1

const versionBytes = len("HTTP/1.1")

// parseVersion parses the protocol version at i.
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
	return 0, versionError(buf[i : i+versionBytes])
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

// versionError returns ErrVersionUnknown for an unsupported version, and ErrVersion for an invalid one.
func versionError(text []byte) error {
	if err := partialVersion(text); err != ErrIncomplete {
		return err
	}
	return ErrVersionUnknown
}

func fitsVersion(i int, b byte) bool {
	if versionForm[i] == 'd' {
		return '0' <= b && b <= '9'
	}
	return versionForm[i] == b
}
