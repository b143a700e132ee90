package exchange

import "testing"

func TestWebSocketAcceptKey(t *testing.T) {
	if got := string(webSocketAcceptKey([]byte("dGhlIHNhbXBsZSBub25jZQ=="))); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("got %s", got)
	}
}
