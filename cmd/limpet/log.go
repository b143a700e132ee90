package main

import (
	"log/slog"

	"github.com/go-logr/logr"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// newLogger returns the log of the process, and sets level to that of the options.
func newLogger(o *options, level *observe.LogLevel, std streams) logr.Logger {
	if o.logLevel.value != "" {
		_ = level.Set(o.logLevel.value) // the flag accepts only known levels
	}
	with := &slog.HandlerOptions{Level: level}
	if o.logFormat == "json" {
		return logr.FromSlogHandler(slog.NewJSONHandler(std.err, with))
	}
	return logr.FromSlogHandler(slog.NewTextHandler(std.err, with))
}

// setLogLevel changes the level of the log.
func (n *node) setLogLevel(name string) error {
	before := n.level.Name()
	if err := n.level.Set(name); err != nil {
		return err
	}
	n.log.Info("Log level changed", "from", before, "to", name)
	return nil
}
