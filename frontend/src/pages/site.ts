import "../style/index.css";

import { closeMenus } from "../site/menus";
import { wireTheme } from "../site/theme";
import { wireDialogs } from "../site/dialogs";

wireTheme();
wireDialogs();
closeMenus();
