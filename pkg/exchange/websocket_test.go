package exchange

import "testing"

func TestTheKeyOfAWebSocketIsAnsweredAsTheRFCSays(t *testing.T) {
	if got := string(acceptFor([]byte("dGhlIHNhbXBsZSBub25jZQ=="))); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("got %s", got)
	}
}
