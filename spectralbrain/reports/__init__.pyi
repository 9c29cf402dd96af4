from .group import build_group_report as build_group_report
from .overview import plot_overview as plot_overview
from .render import render_surface as render_surface
from .results import ReportFailure as ReportFailure, ReportResult as ReportResult
from .subject import build_subject_report as build_subject_report
