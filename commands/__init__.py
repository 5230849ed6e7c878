"""The commands, one file each: parse, wire, report; the work is done in the rooms."""
