package model

import (
	"crypto/tls"
	"errors"
)

// TLSVersion is a TLS version that Limpet supports, with the values of crypto/tls. Zero means no version. Its text
// form is "1.2", "1.3" or "".
type TLSVersion uint16

// The versions.
const (
	TLS12 TLSVersion = tls.VersionTLS12
	TLS13 TLSVersion = tls.VersionTLS13
)

// MarshalText implements encoding.TextMarshaler.
func (v TLSVersion) MarshalText() ([]byte, error) {
	switch v {
	case TLS12:
		return []byte("1.2"), nil
	case TLS13:
		return []byte("1.3"), nil
	}
	return nil, nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *TLSVersion) UnmarshalText(text []byte) error {
	switch string(text) {
	case "1.2":
		*v = TLS12
	case "1.3":
		*v = TLS13
	default:
		return errors.New("it must be 1.2 or 1.3")
	}
	return nil
}
