package http1

// NormalizePath gives the form of path that is matched and forwarded.
func NormalizePath(dst, path []byte) (out []byte, changed bool, err error) { panic("later") }
