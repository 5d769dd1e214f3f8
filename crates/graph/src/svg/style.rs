//! Colours and lines, for light and dark pages. Colours are written out, since not every reader knows CSS variables.

/// The style sheet. `dense` pictures have thin lines that let what is behind them shine through.
pub(super) fn sheet(links: usize) -> String {
    let (width, opacity) = match links {
        0..=120 => (2.0, 1.0),
        121..=500 => (1.4, 0.75),
        501..=1500 => (1.0, 0.45),
        _ => (0.8, 0.25),
    };
    format!("{LIGHT}.wire{{stroke-width:{width};opacity:{opacity}}}{DARK}")
}

const LIGHT: &str = "
text{font-family:Inter,'Helvetica Neue',Helvetica,Arial,sans-serif;fill:#334155;user-select:text}
.mono{font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:11px}
.bg{fill:#f7f9fc}
.head{font-size:18px;font-weight:700;fill:#1e3a5f}
.sub{font-size:12px;fill:#64748b}
.hit{fill:none;stroke:#000;stroke-opacity:0;stroke-width:12}
.wire{fill:none;stroke:#7f95b2;stroke-linecap:round}
.tunnel .wire{stroke:#7c5cc4;stroke-dasharray:9 6}
.stacked .wire{stroke-dasharray:3 5}
.inside .wire{stroke:#0f766e;stroke-dasharray:1 5}
.off .wire{stroke:#c5cedb;stroke-dasharray:5 7}
.link:hover .wire{stroke:#2563eb;stroke-width:3;opacity:1}
.box{stroke-width:1.5}
.name{font-weight:700;text-anchor:middle}
.line{text-anchor:middle}
.own .box{fill:#1e3a5f;stroke:#16304f}.own text{fill:#fff}.own .line{fill:#c9d8ec}
.host .box{fill:#475569;stroke:#334155}.host .rim{fill:none;stroke:#cbd5e1}.host text{fill:#fff}.host .line{fill:#e2e8f0}
.existing .box{fill:#fff;stroke:#1e3a5f;stroke-dasharray:6 4}.existing text{fill:#1e3a5f}
.bridge .box{fill:#0f766e;stroke:#0b5c56}.bridge text{fill:#fff}.bridge .line{fill:#c6ebe4}
.remote .box{fill:#fff;stroke:#94a3b8;stroke-dasharray:3 4}.remote text{fill:#475569}
.label rect{fill:#fff;stroke:#d5dde8}
.label .name{font-size:12px;font-weight:600;fill:#2563eb}.label .line{fill:#475569}
.note rect{fill:#fff6e0;stroke:#f0d9a3}.note text{font-size:11px;fill:#854d0e;text-anchor:middle}
.tunnel .note rect{fill:#f1ecfd;stroke:#d6c9f5}.tunnel .note text{fill:#5b3fa3}
.link.wrong .wire{stroke:#dc2626;opacity:1;stroke-width:2.5}
.node.wrong .box{stroke:#dc2626;stroke-width:3}
.node.gone .box{fill:#fee2e2;stroke-dasharray:6 4}.node.gone .name,.node.gone .line{fill:#b91c1c}
.label.wrong rect{fill:#fee2e2;stroke:#dc2626}.label.wrong .name{fill:#b91c1c}
.line.wrong{fill:#dc2626!important;text-decoration:line-through}.node .line.wrong{fill:#fca5a5!important}
.trouble{font-size:13px;fill:#b91c1c}
";

const DARK: &str = "
@media(prefers-color-scheme:dark){
text{fill:#cbd5e1}
.bg{fill:#0f172a}.head{fill:#e2e8f0}.sub{fill:#94a3b8}
.wire{stroke:#64789a}.tunnel .wire{stroke:#a78bfa}.inside .wire{stroke:#2dd4bf}.off .wire{stroke:#3b475c}
.own .box{fill:#2c5282;stroke:#4a78b5}.own .line{fill:#d5e3f5}
.existing .box,.remote .box{fill:#1e293b;stroke:#7f95b2}.existing text,.remote text{fill:#e2e8f0}
.bridge .box{fill:#0f766e;stroke:#2dd4bf}
.label rect{fill:#1e293b;stroke:#3b475c}.label .name{fill:#93c5fd}.label .line{fill:#cbd5e1}
.note rect{fill:#3b2f12;stroke:#6b5520}.note text{fill:#fcd980}
.tunnel .note rect{fill:#2b2150;stroke:#4d3d8a}.tunnel .note text{fill:#c9bbf7}
.link.wrong .wire{stroke:#f87171}.node.wrong .box{stroke:#f87171}.node.gone .box{fill:#451a1a}
.node.gone .name,.node.gone .line,.label.wrong .name,.trouble{fill:#fca5a5}
.label.wrong rect{fill:#451a1a;stroke:#f87171}.line.wrong{fill:#fca5a5!important}
}
";
