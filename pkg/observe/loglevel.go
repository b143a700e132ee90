package observe

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// namedLevel is a level with its name in flags.
type namedLevel struct {
	name  string
	level slog.Level
}

// logLevels are the levels of the log, from few lines to many. Debug has the levels 1 to 4 of logr.
var logLevels = []namedLevel{
	{"error", slog.LevelError}, {"info", slog.LevelInfo}, {"debug", slog.LevelDebug},
}

// LogLevelNames returns the names of all levels.
func LogLevelNames() []string {
	var names []string
	for _, l := range logLevels {
		names = append(names, l.name)
	}
	return names
}

// LogLevel is the level of a log, which may change at any time. The zero value is info. It is safe for concurrent use.
type LogLevel struct{ slog.LevelVar }

// Set changes the level. It returns an error, and keeps the level, if there is no level with that name.
func (l *LogLevel) Set(name string) error {
	for _, known := range logLevels {
		if known.name == name {
			l.LevelVar.Set(known.level)
			return nil
		}
	}
	return fmt.Errorf("the log level must be %s", strings.Join(LogLevelNames(), ", "))
}

// Name returns the name of the level.
func (l *LogLevel) Name() string {
	current := l.Level()
	i := slices.IndexFunc(logLevels, func(known namedLevel) bool { return known.level == current })
	return logLevels[i].name
}
