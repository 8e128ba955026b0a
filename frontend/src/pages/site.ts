import "../style/index.css";

import { closeMenus } from "../site/menus";
import { wireCopying } from "../site/copy";
import { wirePasskeys } from "../site/passkeys";
import { wireSharing } from "../site/share";
import { wireTheme } from "../site/theme";
import { wireDialogs } from "../site/dialogs";

wireTheme();
wireDialogs();
wireCopying();
wirePasskeys();
wireSharing();
closeMenus();
