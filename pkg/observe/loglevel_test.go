package observe

import "testing"

func TestLogLevel_names(t *testing.T) {
	var l LogLevel
	if l.Name() != "info" {
		t.Errorf("the zero value is %s", l.Name())
	}
	for _, name := range LogLevelNames() {
		if err := l.Set(name); err != nil || l.Name() != name {
			t.Errorf("set %s: got %s (%v)", name, l.Name(), err)
		}
	}
	for _, name := range []string{"", "INFO", "warn", "4", "debug+1"} {
		if err := l.Set(name); err == nil || l.Name() != "debug" {
			t.Errorf("set %q: got %s (%v)", name, l.Name(), err)
		}
	}
}
