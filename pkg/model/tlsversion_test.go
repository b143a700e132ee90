package model

import "testing"

func TestTLSVersion_roundTrip(t *testing.T) {
	for _, want := range []TLSVersion{TLS12, TLS13} {
		text, err := want.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got TLSVersion
		if err := got.UnmarshalText(text); err != nil || got != want {
			t.Errorf("%d marshals to %q and unmarshals to %d, %v", want, text, got, err)
		}
	}
	for _, text := range []string{"", "1.1", "1.4", "TLS1.2", "v1.3", "1.3 "} {
		if got := TLSVersion(0); got.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q unmarshals to %d", text, got)
		}
	}
}
